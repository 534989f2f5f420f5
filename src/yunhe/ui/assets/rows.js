// A table that is filled in takes no more typing between a press on one of its buttons and the server's new drawing of it,
// which would lose that. A row more or less is a change of the form, like typing.
export function watchRows(root) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[name=row][hx-post]");
    if (!button) return;
    button.closest("[data-rows]").inert = true;
    button.form.dispatchEvent(new Event("input"));
  });
  root.body.addEventListener("htmx:afterRequest", (event) => {
    const { elt } = event.detail;
    if (elt.name === "row") elt.closest("[data-rows]").inert = false; // swapped already, unless the server did not answer
  });
}
