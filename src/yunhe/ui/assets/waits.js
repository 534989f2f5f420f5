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
}
