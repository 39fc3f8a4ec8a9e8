"""A fictional region whose two years of facts come from a seed, with the truth that nobody in it states."""

from api.region.assembly import Organisation, Region, region

__all__ = ["Organisation", "Region", "region"]
