// A form that is left before it is sent is kept: the browser tells the server on the way out. The button does the same.
function keep(form) {
  const told = new FormData(form);
  for (const [name, value] of [...told.entries()]) if (value instanceof File) told.delete(name);
  told.set("step", "leave");
  return navigator.sendBeacon(form.action, told);
}

function enhance(form) {
  let changed = false;
  form.autocomplete = "off"; // else going back puts what an older page held into the form of a newer draft
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("change", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  const leave = () => {
    if (changed && form.isConnected && keep(form)) changed = false;
  };
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (shown) => { if (shown.persisted) changed = true; }); // gone back to: what was sent may not have been taken
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") leave(); });
}

export function watchDrafts(root) {
  if (!navigator.sendBeacon) return;
  for (const form of root.querySelectorAll("form[data-draft]")) enhance(form);
}
