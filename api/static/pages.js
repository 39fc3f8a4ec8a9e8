// What a page does beyond links and forms: "/" goes to the search box, and a changed filter asks at once.
const box = document.querySelector("[data-hotkey]");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (box && event.key === box.dataset.hotkey && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
  }
});
for (const field of document.querySelectorAll("[data-submit]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
