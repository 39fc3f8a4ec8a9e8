"""What an enterprise registered, as rows of the first sheet: the last word on each thing."""

from collections.abc import Iterator

from api.workbook.names import Names
from api.workbook.values import Value
from flows.events import (
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    PlanFiled,
    ScaleRegistered,
    SiteRegistered,
    StorageRegistered,
    VehicleRegistered,
)


def registration_rows(names: Names) -> Iterator[dict[str, Value]]:
    """A row a thing, in the order in which they were registered; a plan is a row a waste."""
    for *_, event in names.registrations.values():
        for values in _rows(event, names):
            told = {"time": event.event_time, "note": event.note, **values}
            yield {key: value for key, value in told.items() if value not in (None, "")}


def _rows(event: Event, names: Names) -> Iterator[dict[str, Value | None]]:
    match event:
        case EnterpriseRegistered():
            yield {
                "type": "enterprise", "code": event.enterprise, "name": event.name, "name_en": event.name_en,
                "division": event.division, "roles": tuple(event.roles), "contact": event.contact,
                "phone": event.phone,
            }  # fmt: skip
        case SiteRegistered(site=site):
            yield {
                "type": "site", "code": site.code, "name": site.name, "division": site.division,
                "address": site.address, "contact": site.contact, "phone": site.phone,
            }  # fmt: skip
        case FacilityRegistered(facility=facility):
            yield {
                "type": "facility", "code": facility.code, "name": facility.name,
                "site": names.site_code(facility.site_id), "purpose": facility.purpose,
            }  # fmt: skip
        case StorageRegistered(storage=storage):
            yield {
                "type": "storage", "code": storage.code, "name": storage.name,
                "site": names.site_code(storage.site_id), "storage_type": storage.type,
                "capacity": storage.capacity_g,
            }  # fmt: skip
        case ScaleRegistered(scale=scale):
            yield {
                "type": "scale", "code": scale.code, "site": names.site_code(scale.site_id),
                "accuracy": scale.accuracy_class, "interval": scale.interval_g, "uncertainty": scale.uncertainty_g,
                "calibrated_on": scale.calibrated_on, "calibrated_until": scale.calibrated_until,
            }  # fmt: skip
        case VehicleRegistered(vehicle=vehicle):
            yield {
                "type": "vehicle", "code": vehicle.plate, "emission_stage": vehicle.emission_stage,
                "permit_no": vehicle.permit_no, "dangerous_goods": vehicle.dangerous_goods or None,
            }  # fmt: skip
        case PlanFiled(plan=plan):
            for line in plan.lines:
                yield {
                    "type": "plan", "code": str(plan.year), "site": names.site_code(plan.site_id),
                    "waste": line.waste, "generated": line.generated_g, "moved": line.moved_g,
                }  # fmt: skip
        case _:
            raise AssertionError(event)
