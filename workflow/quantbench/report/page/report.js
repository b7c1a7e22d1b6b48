// The report's own behaviour: tables to sort and filter (by DataTables), and the explorer of samples.
"use strict";

(() => {
  const element = (id) => document.getElementById(id);
  const make = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text; // never as markup: outputs may hold anything
    if (className) made.className = className;
    return made;
  };

  // ---- tables ----
  for (const table of document.querySelectorAll(".report-table")) {
    const shown = new DataTable(table, {
      pageLength: 15,
      lengthMenu: [15, 50, 200, { label: "all", value: -1 }],
      order: [],
      autoWidth: false,
      language: { search: "Search:", lengthMenu: "_MENU_ rows a page" },
    });
    // Every table has its own set of pages: each is told apart by name.
    const name = () => {
      for (const pages of document.querySelectorAll(`#${table.id}_wrapper nav`)) pages.ariaLabel = `Pages of ${table.dataset.title}`;
    };
    shown.on("draw", name);
    name();
    for (const select of document.querySelectorAll(`[data-for="${table.id}"] select`)) {
      select.addEventListener("change", () => {
        const column = shown.column(Number(select.dataset.column));
        column.search(select.value ? (text) => text === select.value : "").draw();
      });
    }
  }

  // ---- explorer ----
  const index = JSON.parse(element("explorer-index").textContent);
  const loaded = new Map();
  const perPage = 25;
  const names = { lost: "turned wrong", gained: "put right", changed: "changed", unparseable: "not readable", same: "same" };
  const order = ["lost", "gained", "changed", "unparseable", "same"];
  let asked = 0;
  let view = { rows: [], page: 0, samples: null, answers: null };

  // A block is inflated when it is first looked at.
  async function block(name) {
    if (!loaded.has(name)) {
      const holder = document.querySelector(`script[data-block="${CSS.escape(name)}"]`);
      const bytes = Uint8Array.from(atob(holder.textContent), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      loaded.set(name, JSON.parse(await new Response(stream).text()));
    }
    return loaded.get(name);
  }

  function fill(select, entries) {
    const before = select.value;
    select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
    if (entries.some(([value]) => value === before)) select.value = before;
  }

  const settingName = (setting) => {
    const [prompting, shots] = setting.split("-");
    return `${prompting.replace("_", " ")}, ${shots} shots`;
  };

  function offer() {
    fill(element("choice-dataset"), Object.entries(index.datasets).map(([name, entry]) => [name, entry.title]));
    const settings = index.datasets[element("choice-dataset").value].settings;
    fill(element("choice-setting"), Object.keys(settings).map((setting) => [setting, settingName(setting)]));
    const models = Object.keys(settings[element("choice-setting").value]);
    fill(element("choice-model"), models.map((model) => [model, index.models[model]]));
  }

  // What quantization did to one answer; also where full precision could not be read, that is said.
  function change(answers, precision, place) {
    const own = answers[precision];
    const full = answers[index.reference];
    if (full && precision !== index.reference) {
      if (full.correct[place] && !own.correct[place]) return "lost";
      if (!full.correct[place] && own.correct[place]) return "gained";
      const told = (one) => JSON.stringify([one.ok[place], one.parsed[place]]);
      if (told(full) !== told(own)) return "changed";
    }
    return own.ok[place] ? "same" : "unparseable";
  }

  function worst(answers, place) {
    const found = Object.keys(answers).map((precision) => change(answers, precision, place));
    return order.find((kind) => found.includes(kind));
  }

  async function list() {
    const ticket = ++asked;
    const dataset = element("choice-dataset").value;
    const path = `${dataset}/${element("choice-setting").value}/${element("choice-model").value}`;
    const samples = await block(`samples/${dataset}`);
    const answers = await block(`answers/${path}`);
    if (ticket !== asked) return; // another choice was made while this one was inflated
    const kind = element("choice-kind").value;
    const wanted = element("choice-id").value.trim();
    const wrong = ["lost", "gained", "changed"];
    const rows = samples.ids.map((id, place) => ({ id, place, kind: worst(answers, place) }));
    const kept = rows.filter((row) => {
      if (wanted && row.id !== wanted) return false;
      if (kind === "changed") return wrong.includes(row.kind);
      if (kind === "unparseable") return Object.values(answers).some((one) => !one.ok[row.place]);
      if (kind === "all") return true;
      return Object.keys(answers).some((precision) => change(answers, precision, row.place) === kind);
    });
    kept.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind) || one.place - other.place);
    view = { rows: kept, page: 0, samples, answers };
    const entry = index.datasets[dataset];
    const part = entry.shown < entry.total ? ` This page holds ${entry.shown} of the ${entry.total}, changed answers first.` : "";
    element("counted").textContent = `${kept.length} of ${entry.shown} samples of ${entry.title}.${part}`;
    element("opened").replaceChildren(make("p", "Open a sample on the list."));
    drawList();
  }

  function drawList() {
    const { rows, page, samples, answers } = view;
    const precisions = Object.keys(answers);
    const pages = Math.max(1, Math.ceil(rows.length / perPage));
    const head = ["Sample", "Gold", ...precisions.map((name) => index.precisions[name])];
    element("listed-head").replaceChildren(...head.map((word) => Object.assign(make("th", word), { scope: "col" })));
    element("listed-body").replaceChildren(
      ...rows.slice(page * perPage, (page + 1) * perPage).map((row) => {
        const line = make("tr");
        const button = make("button", row.id);
        button.type = "button";
        button.setAttribute("aria-label", `Open sample ${row.id}`);
        button.addEventListener("click", () => open(row));
        const first = make("td");
        first.append(button);
        line.append(first, make("td", brief(samples.gold[row.place])));
        for (const precision of precisions) line.append(judged(answers, precision, row.place));
        return line;
      }),
    );
    element("page-place").textContent = `page ${page + 1} of ${pages}`;
    element("page-back").disabled = page === 0;
    element("page-on").disabled = page + 1 >= pages;
  }

  function judged(answers, precision, place) {
    const own = answers[precision];
    const kind = change(answers, precision, place);
    const parts = own.ok[place] ? [] : ["no answer read"];
    if (kind === "lost" || kind === "gained") parts.push(names[kind]);
    else if (own.ok[place]) parts.push(own.correct[place] ? "right" : "wrong");
    if (kind === "changed") parts.push("changed");
    return make("td", parts.join(", "), kind);
  }

  function brief(value) {
    if (Array.isArray(value)) {
      const parts = value.map((item) => (typeof item === "object" ? item.text || `${item.start}-${item.end}` : item));
      return parts.length ? parts.join("; ") : "none";
    }
    return value === null ? "none" : String(value);
  }

  function open(row) {
    const { samples, answers } = view;
    const heading = make("h3", `Sample ${row.id}`);
    const parts = [heading, make("p", `Gold: ${brief(samples.gold[row.place])}`, "gold")];
    const prompt = samples.prompts[element("choice-setting").value];
    const details = make("details");
    details.open = !prompt || prompt.own[row.place].length < 2500;
    details.append(make("summary", "Prompt"));
    if (prompt) {
      const shown = raw();
      shown.append(make("span", prompt.before, "shared"), make("span", prompt.own[row.place]), make("span", prompt.after, "shared"));
      details.append(shown);
    } else {
      details.append(make("p", "Not here: the dataset is private, or its licence keeps its texts out of bundles."));
    }
    parts.push(details);
    for (const [precision, own] of Object.entries(answers)) parts.push(answer(answers, precision, own, row.place));
    const opened = element("opened");
    opened.replaceChildren(...parts);
    opened.focus({ preventScroll: true });
    opened.scrollIntoView({ block: "nearest" });
  }

  function answer(answers, precision, own, place) {
    const box = make("article", undefined, `answer ${change(answers, precision, place)}`);
    box.append(make("h4", index.precisions[precision]));
    const read = own.ok[place] ? `read as: ${brief(own.parsed[place])}` : "no answer could be read";
    const kind = change(answers, precision, place);
    const words = [own.correct[place] ? "Right" : "Wrong", read];
    if (["lost", "gained", "changed"].includes(kind)) words.push(`${names[kind]} against full precision`);
    if (own.notes[place]) words.push(own.notes[place]);
    box.append(make("p", words.join("; "), own.ok[place] ? "" : "failure"));
    if (own.outputs === null) box.append(make("p", "The output is left out: it may repeat the text."));
    else for (const text of own.outputs[place]) box.append(raw(text === "" ? "(empty output)" : text));
    return box;
  }

  // Long texts scroll, so the keyboard must reach them.
  function raw(text) {
    return Object.assign(make("pre", text), { tabIndex: 0 });
  }

  function turn(step) {
    view.page += step;
    drawList();
  }

  element("page-back").addEventListener("click", () => turn(-1));
  element("page-on").addEventListener("click", () => turn(1));
  for (const id of ["choice-dataset", "choice-setting"]) {
    element(id).addEventListener("change", () => {
      offer();
      list();
    });
  }
  for (const id of ["choice-model", "choice-kind"]) element(id).addEventListener("change", list);
  element("choice-id").addEventListener("input", list);
  if (Object.keys(index.datasets).length) {
    offer();
    list();
  }
})();
