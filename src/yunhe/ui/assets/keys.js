// Keys of lists and cases: j k Enter 1–9 x b m / ? Esc Ctrl+Enter. Only on pages that carry the map (dialog#keys); off while
// somebody types, and off altogether where the map's switch says so. Everything they reach, Tab reaches, too.
const KEPT = "yunhe.keys";
const FIELD = "input:not([type=hidden]), select, textarea";

const memory = {
  get off() { try { return localStorage.getItem(KEPT) === "off"; } catch { return false; } },
  set off(off) { try { if (off) localStorage.setItem(KEPT, "off"); else localStorage.removeItem(KEPT); } catch { /* for this page only */ } },
};

function isTyping(target) {
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input:not([type=checkbox]):not([type=radio]):not([type=submit]):not([type=button])");
}

class Keys {
  constructor(root, map) {
    Object.assign(this, { root, map, off: memory.off });
    const box = map.querySelector("input[type=checkbox]");
    box.checked = !this.off;
    box.addEventListener("change", () => { this.off = !box.checked; memory.off = this.off; this.hint(); });
    for (const button of root.querySelectorAll("[data-keys]")) {
      button.hidden = false;
      button.addEventListener("click", () => map.showModal());
    }
    this.hint();
    root.addEventListener("keydown", (event) => this.take(event));
  }

  hint() {
    this.root.documentElement.classList.toggle("yh-keyed", !this.off);
    for (const one of this.all("[data-key]")) {
      if (this.off) one.removeAttribute("aria-keyshortcuts");
      else one.setAttribute("aria-keyshortcuts", one.dataset.key);
    }
  }

  all(selector) { return [...this.root.querySelectorAll(`main ${selector}`)]; }

  one(selector) { return this.all(selector)[0]; }

  take(event) {
    if (this.off || event.isComposing || event.defaultPrevented || this.map.open) return;
    const { target, key } = event;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) { this.did(event, this.submit(target)); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") { this.did(event, this.back(target)); return; }
    if (isTyping(target)) return;
    this.did(event, this.press(key, target));
  }

  did(event, done) { if (done) event.preventDefault(); }

  press(key, target) {
    if (key === "j" || (key === "ArrowDown" && this.isFree(target))) return this.move(1);
    if (key === "k" || (key === "ArrowUp" && this.isFree(target))) return this.move(-1);
    if (/^[1-9]$/.test(key)) return this.act(this.one(`[data-key="${key}"]`));
    if (key === "x") return this.pick();
    if (key === "b") return this.act(this.one("[data-bulk]"), true);
    if (key === "m") return this.unfold(this.one("[data-more]"));
    if (key === "[" || key === "]") return this.act(this.one(key === "]" ? "a[rel=next]" : "a[rel=prev]"));
    if (key === "/") return this.focus(this.one("input[type=search]"));
    if (key === "?") { this.map.showModal(); return true; }
    return false;
  }

  // The arrows stay the browser's own where they mean something: in a group of radio buttons, in a scrolled box.
  isFree(target) { return target === this.root.body || target.id === "content" || this.lines().includes(target); }

  // The links that j and k go through: the marked lines, or the first link of each row where a page has none.
  lines() {
    const marked = this.all("[data-line]");
    return marked.length ? marked : this.all(".yh-sheet tbody tr").map((row) => row.querySelector("a")).filter(Boolean);
  }

  line() {
    const row = this.root.activeElement?.closest("li, tr");
    return row && this.lines().find((one) => row.contains(one));
  }

  move(step) {
    const lines = this.lines();
    const here = lines.indexOf(this.line());
    const current = lines.findIndex((one) => one.hasAttribute("aria-current"));
    const next = here < 0 ? Math.max(current, 0) : Math.min(Math.max(here + step, 0), lines.length - 1);
    return this.focus(lines[next]);
  }

  pick() {
    const box = (this.line() ?? this.one("[data-line][aria-current]"))?.closest("li, tr").querySelector("input[name=pick]");
    box?.click();
    return Boolean(box);
  }

  // What posts at once is only chosen: Enter does it, so that no single letter acts for good.
  act(what, choose = false) {
    if (!what) return false;
    if (what.matches("a") || choose) what.click();
    else what.focus();
    return true;
  }

  unfold(details) {
    if (!details) return false;
    details.open = !details.open;
    return this.focus(details.open ? details.querySelector("a") : details.querySelector("summary"));
  }

  focus(what) {
    what?.focus();
    return Boolean(what);
  }

  submit(target) {
    const form = target.form ?? this.one("form[data-do]");
    const button = form?.querySelector("button[type=submit]");
    if (!button || form.method !== "post") return false;
    form.requestSubmit(button);
    return true;
  }

  // Out of a field first, so that nothing typed is lost by one key; then out of the form; then back to the line.
  back(target) {
    if (this.root.querySelector(".yh-drop[open], .yh-menu[open]")) return false;
    if (isTyping(target)) {
      target.blur();
      return this.focus(target.closest("form")?.querySelector("[tabindex='-1']")) || true;
    }
    const out = this.one("[data-back]");
    if (out) { out.click(); return true; }
    return this.focus(this.one("[data-line][aria-current]"));
  }
}

export function watchKeys(root) {
  const map = root.getElementById("keys");
  if (map) new Keys(root, map);
  // The chosen line stays in sight in its own pane.
  if (location.hash !== "#line") root.getElementById("line")?.scrollIntoView({ block: "nearest" });
  // A form that was asked for is begun at its first field, whether the browser went to the place that the address names yet or not.
  const form = root.querySelector(location.hash === "#act" ? "form[data-do]" : "form[data-begin]");
  const begin = () => form.querySelector(`.yh-field :is(${FIELD})`)?.focus();
  form?.querySelector("#act").addEventListener("focus", begin, { once: true });
  if (form) window.addEventListener("load", () => { setTimeout(begin); });
}
