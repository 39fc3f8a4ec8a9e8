// What a page does beyond links and forms: "/" goes to the search box, and a changed filter asks at once.
const box = document.querySelector("[data-hotkey]");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (box && event.key === box.dataset.hotkey && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
  }
});
// Only where the mouse chose: whoever walks a list by keys sends the form with its button.
let byPointer = false;
document.addEventListener("pointerdown", () => { byPointer = true; }, true);
document.addEventListener("keydown", () => { byPointer = false; }, true);
for (const field of document.querySelectorAll("select[data-submit]")) {
  field.addEventListener("change", () => byPointer && field.form.requestSubmit());
}
