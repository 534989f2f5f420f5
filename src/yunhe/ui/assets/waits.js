// A button that the server takes only after a pause counts down to it; without script the server says how long is left.
export function watchWaits(root) {
  for (const button of root.querySelectorAll("button[data-wait]")) {
    const until = performance.now() + Number(button.dataset.wait) * 1000;
    const show = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? button.dataset.waitSaid.replace("%s", left) : button.dataset.waitOver;
      if (left > 0) setTimeout(show, 1000);
    };
    show();
  }
  for (const form of root.querySelectorAll("form[data-working]")) watchWorking(form);
}

// A form whose answer takes long says so from the moment that it is sent, and is sent once.
function watchWorking(form) {
  const said = form.querySelector("[data-working-said]");
  form.addEventListener("submit", (event) => {
    if (said.textContent) { event.preventDefault(); return; }
    said.textContent = form.dataset.working;
    form.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => { said.textContent = ""; form.removeAttribute("aria-busy"); });
}
