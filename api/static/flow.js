// The flow diagram and its table: one tab stop each, arrows walk, what is connected stays bright.
const flow = document.querySelector("[data-flow]");
if (flow) {
  const ribbons = [...flow.querySelectorAll("[data-from], [data-to]")];
  const spots = [...flow.querySelectorAll("[data-spot]")];
  const reach = (start, near, far) => {
    const found = new Set([start]);
    const waiting = [start];
    while (waiting.length) {
      const here = waiting.pop();
      for (const ribbon of ribbons) {
        const next = ribbon.dataset[far];
        if (ribbon.dataset[near] === here && next && !found.has(next)) {
          found.add(next);
          waiting.push(next);
        }
      }
    }
    return found;
  };
  const light = (name) => {
    const down = name && reach(name, "from", "to");
    const up = name && reach(name, "to", "from");
    for (const spot of spots) {
      const own = spot.dataset.spot.replace(/-on$/, "");
      spot.classList.toggle("dim", Boolean(name) && !down.has(own) && !up.has(own));
    }
    for (const { dataset: { from, to }, classList } of ribbons) {
      const onward = down && (from === undefined ? false : down.has(from));
      const back = up && (to === undefined ? false : up.has(to));
      classList.toggle("dim", Boolean(name) && !onward && !back);
    }
  };
  for (const spot of spots) {
    const name = spot.dataset.spot.replace(/-on$/, "");
    spot.addEventListener("pointerenter", () => light(name));
    spot.addEventListener("pointerleave", () => light(""));
    spot.addEventListener("focus", () => light(name));
    spot.addEventListener("blur", () => light(""));
  }
  walk(flow, [...flow.querySelectorAll("a")]);
}
for (const table of document.querySelectorAll("[data-walk]")) {
  const rows = [...table.querySelectorAll("tbody tr")];
  for (const link of table.querySelectorAll("tbody a")) link.tabIndex = -1;
  for (const row of rows) row.tabIndex = -1;
  walk(table, rows);
  table.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("tr")) event.target.querySelector("a")?.click();
  });
}
function walk(area, stops) {
  if (!stops.length) return;
  stops.forEach((stop, place) => stop.setAttribute("tabindex", place ? "-1" : "0"));
  area.addEventListener("keydown", (event) => {
    const here = stops.indexOf(event.target);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const next = event.key === "Home" ? 0 : event.key === "End" ? stops.length - 1 : step && here + step;
    if (event.key === "Escape") event.target.blur();
    if (here < 0 || next === undefined || !stops[next]) return;
    event.preventDefault();
    stops[here].setAttribute("tabindex", "-1");
    stops[next].setAttribute("tabindex", "0");
    stops[next].focus();
  });
}
