// Files of a form go up in pieces beforehand and go on after a break or a reload (tus 1.0); without script the form sends them.
const PIECE = 1 << 20;
const PAUSES = [500, 1000, 2000, 4000, 8000];
const LOOKS = [1000, 1000, 2000, 3000, 5000, 8000, 13000, 21000, 34000];
const BYTES = "application/offset+octet-stream";
const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// Which upload a chosen file belongs to, for this tab only: a shared machine keeps no trace of it.
const memory = {
  key: (file, href) => `upload:${href}:${file.name}:${file.size}:${file.lastModified}`,
  get(file, href) { try { return sessionStorage.getItem(this.key(file, href)); } catch { return null; } },
  set(file, href, place) {
    try {
      if (place) sessionStorage.setItem(this.key(file, href), place);
      else sessionStorage.removeItem(this.key(file, href));
    } catch { /* a browser that keeps nothing starts anew */ }
  },
};

class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail ?? `${status}`);
    this.code = problem.code;
  }
}

// Ask less and less often what the virus check found, and no more after a minute and a half: then it still says that it waits.
async function followCheck(line, place, input) {
  const verdict = line.querySelector("[data-verdict]");
  const { saidClean, saidInfected, saidSlow } = input.dataset;
  const end = (said) => { verdict.textContent = said; line.querySelector("[data-until-then]")?.remove(); };
  for (const pause of LOOKS) {
    await wait(pause);
    if (!line.isConnected) return;
    const answer = await fetch(place, {
      method: "HEAD", credentials: "same-origin", redirect: "error", headers: { "Tus-Resumable": "1.0.0", Accept: "application/json" },
    }).catch(() => null);
    if (answer && answer.status < 500 && !answer.ok) return; // signed out, or handed in meanwhile
    const state = answer?.ok ? answer.headers.get("Upload-State") : "checking";
    if (state === "ready") { end(saidClean); return; }
    if (state === "infected") {
      const lost = input.closest("[data-uploads]").querySelector("[data-upload-lost]").content.cloneNode(true).firstElementChild;
      lost.querySelector("[data-file]").textContent = line.querySelector("[data-file]").textContent;
      line.replaceWith(lost);
      lost.querySelector("p").textContent = saidInfected;
      return;
    }
  }
  verdict.textContent = saidSlow;
}

class Upload {
  constructor(file, input, row) {
    Object.assign(this, { file, input, row, place: null, offset: 0, paused: false, ended: false, sending: null });
    this.said = row.querySelector("[data-said]");
    this.button = row.querySelector("[data-pause]");
    const { resume } = this.button.dataset;
    this.words = { pause: this.button.textContent, resume };
    row.querySelector("[data-file]").textContent = file.name;
    row.querySelector("progress").setAttribute("aria-label", file.name);
    this.button.addEventListener("click", () => (this.paused ? this.run() : this.pause()));
    row.querySelector("[data-drop]").addEventListener("click", () => this.drop());
    this.show();
  }

  async call(method, place, headers = {}, body = undefined) {
    const token = this.input.form.querySelector("[name=csrfmiddlewaretoken]").value;
    this.sending = new AbortController();
    const answer = await fetch(place, {
      method, body, signal: this.sending.signal, credentials: "same-origin", redirect: "error",
      headers: { "Tus-Resumable": "1.0.0", Accept: "application/json", "X-CSRFToken": token, ...headers },
    });
    if (answer.ok || answer.status === 404 || answer.status === 409) return answer;
    if (answer.status >= 500) throw new TypeError(answer.statusText);
    throw new Refused(await answer.json().catch(() => ({})), answer.status);
  }

  hear(answer) {
    this.offset = Number(answer.headers.get("Upload-Offset"));
    this.state = answer.headers.get("Upload-State");
  }

  async begin() {
    const href = this.input.dataset.upload;
    this.place = this.place ?? memory.get(this.file, href);
    if (this.place) {
      const answer = await this.call("HEAD", this.place);
      if (answer.ok) { this.hear(answer); return; }
    }
    const told = { filename: this.file.name, filetype: this.file.type, purpose: this.input.dataset.purpose };
    const metadata = Object.entries(told).filter(([, text]) => text).map(([key, text]) => `${key} ${encoded(text)}`).join(",");
    const answer = await this.call("POST", href, { "Upload-Length": `${this.file.size}`, "Upload-Metadata": metadata });
    if (!answer.ok) throw new Refused(await answer.json(), answer.status);
    this.place = answer.headers.get("Location");
    this.offset = 0;
    memory.set(this.file, href, this.place);
  }

  // The last piece, and an empty one behind a whole file whose end nobody heard, have the server judge the file.
  async send() {
    do {
      const piece = this.file.slice(this.offset, this.offset + PIECE);
      const answer = await this.call("PATCH", this.place, { "Content-Type": BYTES, "Upload-Offset": `${this.offset}` }, piece);
      if (!answer.ok) throw new TypeError("not where the server stands");
      this.hear(answer);
      this.show();
    } while (this.offset < this.file.size && !this.paused && !this.ended);
    return this.offset >= this.file.size;
  }

  async run() {
    this.paused = false;
    this.button.textContent = this.words.pause;
    this.said.textContent = "";
    for (let failures = 0; !this.paused && !this.ended;) {
      const before = this.offset;
      try {
        await this.begin();
        this.show();
        if (await this.send()) this.done();
        return;
      } catch (error) {
        if (this.paused || this.ended) return;
        if (error instanceof Refused) { this.refuse(error); return; }
        failures = this.offset > before ? 0 : failures + 1;
        if (failures > PAUSES.length) { this.pause(); this.said.textContent = this.input.dataset.saidAway; return; }
        await wait(PAUSES[Math.max(failures - 1, 0)]);
      }
    }
  }

  show() {
    const share = Math.floor((this.offset / this.file.size) * 100);
    this.row.querySelector("progress").value = share;
    this.row.querySelector("[data-percent]").textContent = `${share}%`;
  }

  pause() {
    this.paused = true;
    this.button.textContent = this.words.resume;
    this.sending?.abort();
  }

  refuse(error) {
    this.ended = true;
    memory.set(this.file, this.input.dataset.upload, null);
    for (const part of [this.button, this.row.querySelector("progress"), this.row.querySelector("[data-percent]")]) part.remove();
    this.said.textContent = error.message;
    if (error.code === "attachment_quota_used_up") {
      this.said.append(" ", this.input.closest("[data-uploads]").querySelector(".yh-help a[href]").cloneNode(true));
    }
  }

  async drop() {
    const open = !this.ended;
    this.ended = true;
    this.sending?.abort();
    memory.set(this.file, this.input.dataset.upload, null);
    this.row.remove();
    if (open && this.place) await this.call("DELETE", this.place).catch(() => {});
  }

  done() {
    this.ended = true;
    memory.set(this.file, this.input.dataset.upload, null);
    const whole = this.input.closest("[data-uploads]");
    const line = whole.querySelector("[data-upload-done]").content.cloneNode(true).firstElementChild;
    const { saidChecking, saidDone } = this.input.dataset;
    const box = line.querySelector("input");
    box.name = this.input.dataset.name;
    box.value = this.place.split("/").filter(Boolean).pop();
    line.querySelector("[data-file]").textContent = this.file.name;
    this.row.replaceWith(line);
    const waits = this.state !== "ready";
    line.querySelector("[data-verdict]").textContent = waits ? saidChecking : saidDone;
    if (!waits) return;
    line.append(whole.querySelector("[data-upload-checking]").content.cloneNode(true));
    followCheck(line, this.place, this.input);
  }
}

function enhance(input) {
  const box = input.closest("[data-uploads]");
  const list = box.querySelector("[data-upload-list]");
  const said = box.querySelector("[data-upload-said]");
  const uploads = [];
  for (const line of list.querySelectorAll("li[data-checking]")) followCheck(line, line.dataset.checking, input);
  const say = (text) => { said.textContent = text; said.hidden = !text; };
  input.addEventListener("change", () => {
    say("");
    for (const file of input.files) {
      if (file.size > Number(input.dataset.max)) { say(`${file.name}: ${input.dataset.saidLarge}`); continue; }
      const row = box.querySelector("[data-upload-row]").content.cloneNode(true).firstElementChild;
      list.append(row);
      const upload = new Upload(file, input, row);
      uploads.push(upload);
      upload.run();
    }
    input.value = "";
  });
  input.form.addEventListener("submit", (event) => {
    if (uploads.every((one) => one.ended)) return;
    event.preventDefault();
    say(input.dataset.saidWait);
  });
}

const watched = new WeakSet();

export function watchUploads(root) {
  for (const input of root.querySelectorAll("input[type=file][data-upload]")) {
    if (watched.has(input) || !input.form?.querySelector("[name=csrfmiddlewaretoken]")) continue;
    watched.add(input);
    enhance(input);
  }
}
