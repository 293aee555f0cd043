/* What the panel's page does by itself: titles under the caret after "@", the raw switch, copies and downloads, and where it scrolls.
   Everything that comes from the server is shown as text, never read as markup. */
window.llmrecPanel = (() => {
  const BEGUN = /(^|[\s(,;:"'“])@([^@\n]{0,60})$/u;
  let server = null, source = null, list = null, shown = [], chosen = 0, asked = 0, box = null;

  const model = () => source?.querySelector("[data-model]")?.dataset.model ?? "";
  const open = () => list !== null && !list.hidden;

  function made() {
    if (list) return list;
    list = document.createElement("ul");
    list.id = "lm-titles";
    list.className = "lm-titles";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Titles");
    document.querySelector(".gradio-container").append(list);
    return list;
  }

  function close() {
    asked += 1;
    if (list) list.hidden = true;
    box?.setAttribute("aria-expanded", "false");
    box?.removeAttribute("aria-activedescendant");
  }

  function mark(at) {
    chosen = (at + shown.length) % shown.length;
    [...list.children].forEach((line, n) => {
      line.setAttribute("aria-selected", String(n === chosen));
      if (n === chosen) line.scrollIntoView({ block: "nearest" });
    });
    box.setAttribute("aria-activedescendant", `lm-title-${chosen}`);
  }

  function show(found) {
    shown = found;
    if (!found.length) return close();
    made().replaceChildren(...found.map((title, n) => {
      const line = document.createElement("li"), facts = document.createElement("small");
      line.id = `lm-title-${n}`;
      line.setAttribute("role", "option");
      line.textContent = title.title;
      facts.textContent = title.facts;
      line.append(facts);
      line.addEventListener("mousedown", (event) => { event.preventDefault(); take(n); });
      return line;
    }));
    list.hidden = false;
    box.setAttribute("aria-expanded", "true");
    place();
    mark(0);
  }

  function place() {
    const caret = at(box, box.selectionStart - begun().length - 1), lines = list.getBoundingClientRect();
    const left = Math.max(8, Math.min(caret.x, window.innerWidth - lines.width - 8));
    const above = caret.y - lines.height - 6;
    list.style.left = `${left}px`;
    list.style.top = `${above > 4 ? above : caret.y + caret.height + 6}px`;
  }

  /* Where a letter of a text area stands in the window: a copy of the area is laid out, unseen, up to that letter. */
  function at(area, index) {
    const copy = document.createElement("div"), style = getComputedStyle(area), spot = document.createElement("span");
    for (const name of ["font", "letterSpacing", "padding", "border", "lineHeight", "wordSpacing"]) copy.style[name] = style[name];
    Object.assign(copy.style, { position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word",
      width: `${area.clientWidth}px`, boxSizing: "border-box", top: "0", left: "0" });
    copy.textContent = area.value.slice(0, Math.max(0, index));
    spot.textContent = "@";
    copy.append(spot);
    document.body.append(copy);
    const frame = area.getBoundingClientRect();
    const found = { x: frame.left + spot.offsetLeft, y: frame.top + spot.offsetTop - area.scrollTop, height: spot.offsetHeight };
    copy.remove();
    return found;
  }

  function begun() {
    const found = BEGUN.exec(box.value.slice(0, box.selectionStart));
    return found ? found[2] : null;
  }

  async function typed() {
    const words = begun();
    if (words === null || !words.trim() || !server) return close();
    const mine = ++asked;
    try {
      const found = await server.completions(model(), words);
      if (mine === asked && begun() === words) show(found);
    } catch { close(); }
  }

  function take(n) {
    const title = shown[n], end = box.selectionStart, words = begun();
    if (!title || words === null) return close();
    const start = end - words.length - 1, after = box.value.slice(end), blank = /^\s/.test(after) ? "" : " ";
    const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set;
    set.call(box, box.value.slice(0, start) + title.insert + blank + after);
    const caret = start + title.insert.length + 1;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
    box.setSelectionRange(caret, caret);
    close();
  }

  function keyed(event) {
    if (event.target !== box || !open() || event.isComposing) return;
    const acts = { ArrowDown: () => mark(chosen + 1), ArrowUp: () => mark(chosen - 1), Enter: () => take(chosen),
      Tab: () => take(chosen), Escape: close };
    if (!acts[event.key] || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    acts[event.key]();
  }

  let waiting = 0;
  function listen() {
    document.addEventListener("focusin", (event) => {
      if (!event.target.matches?.("#message textarea")) return;
      box = event.target;
      for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "lm-titles"], ["aria-expanded", "false"]])
        box.setAttribute(name, value);
      made();
    });
    document.addEventListener("input", (event) => {
      if (event.target !== box) return;
      clearTimeout(waiting);
      waiting = setTimeout(typed, 90);
    });
    document.addEventListener("keydown", keyed, true);
    document.addEventListener("focusout", (event) => { if (event.target === box) close(); });
    window.addEventListener("resize", close);
    follow();
  }

  /* A new message goes to the top of the window, and its answers grow below it: nothing moves under the mouse while they do. */
  function follow() {
    let sent = false;
    for (const kind of ["wheel", "touchmove"]) window.addEventListener(kind, () => { moved = true; }, { passive: true });
    document.addEventListener("keydown", (event) => { if (event.target === box && event.key === "Enter" && !event.shiftKey) sent = true; });
    document.addEventListener("click", (event) => { if (event.target.closest?.(".idea, .submit-button")) sent = true; });
    new MutationObserver(() => {
      const bubble = document.querySelector("#bubble");
      if (!sent || !bubble || !document.querySelector("#stage .lm-busy")) return;
      sent = false;
      moved = false;
      for (const wait of [60, 200, 450, 800, 1200]) setTimeout(anchor, wait); // the earlier turns may be drawn after the new message
    }).observe(document.body, { childList: true, subtree: true });
  }

  let moved = false; // by the visitor, since the newest message
  function anchor() {
    const bubble = document.querySelector("#bubble"), low = window.innerWidth < 640 || window.innerHeight < 740;
    if (moved || !bubble || !(low || document.querySelector("#past"))) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const off = bubble.getBoundingClientRect().top - 10;
    // not scrollIntoView, which would scroll the page around the frame too
    if (Math.abs(off) > 2) window.scrollTo({ top: off + window.scrollY, behavior: still ? "auto" : "smooth" });
  }

  function told(sentence) {
    const spot = document.createElement("p");
    spot.className = "lm-toast";
    spot.setAttribute("role", "status");
    spot.textContent = sentence;
    document.querySelector(".gradio-container").append(spot);
    setTimeout(() => spot.remove(), 5000);
  }

  async function copy(query) {
    let outside = window;
    try { if (window.parent.location.origin === location.origin) outside = window.parent; } catch { /* framed by another page */ }
    const address = `${outside.location.origin}${outside.location.pathname}?${query}`;
    try { await navigator.clipboard.writeText(address); told("The link is copied: it opens these sides, this person and this message."); }
    catch { window.prompt("The link to this panel:", address); }
  }

  function save(file) {
    if (!file) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: file.kind }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function completing(element, given) {
    server = given;
    source = element;
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", listen); else listen();
  return { completing, copy, save, raw: (on) => { document.querySelector(".gradio-container").classList.toggle("lm-show-raw", on); } };
})();
