// A block of code gets its copy button only where copying works.
export function watchCopies(root) {
  if (!navigator.clipboard) return;
  for (const block of root.querySelectorAll("[data-copy]")) {
    const button = block.querySelector(".yh-copy");
    const label = button.querySelector("span");
    const before = label.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const told = block.querySelector("code, textarea");
      await navigator.clipboard.writeText(told.value ?? told.textContent);
      label.textContent = button.dataset.copied;
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }
}
