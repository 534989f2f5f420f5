// The error summary of a refused form gets the focus, else what came of an act, unless the address names another place;
// a failed fragment says so where messages stand.
export function watchErrors(root) {
  (root.getElementById("form-errors") ?? (location.hash ? null : root.querySelector("[data-result]")))?.focus();
  root.body.addEventListener("htmx:responseError", (event) => {
    const place = root.querySelector(".yh-messages");
    if (!place) return;
    const line = root.createElement("p");
    line.className = "yh-message yh-message-error";
    const trace = event.detail.xhr.getResponseHeader("X-Trace-Id") ?? "";
    line.textContent = `${event.detail.xhr.status} ${event.detail.xhr.statusText} ${trace}`;
    place.append(line);
  });
}
