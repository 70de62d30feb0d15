"use strict";
// Choosing and sorting in the tables of models. Without this script every row and column is there, best model first.
(() => {
  const form = document.getElementById("controls");
  const tables = [...document.querySelectorAll("table.models")];
  if (!form || !tables.length) return;

  const sections = [...document.querySelectorAll("section.part")];
  const models = tables.flatMap(table => [...table.querySelectorAll("tr[data-kind]")]);
  const choose = name => form.elements.namedItem(name).value;

  const add = (name, value, text) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = text;
    form.elements.namedItem(name).append(option);
  };
  if (sections.length > 1)
    sections.forEach(section => add("section", section.id, section.querySelector("h2").textContent));
  const languages = new Map();
  for (const head of document.querySelectorAll("table.models th[data-language]"))
    if (head.dataset.language !== "all") languages.set(head.dataset.language, head.querySelector("bdi").textContent);
  languages.forEach((name, code) => add("language", `language:${code}`, name));
  // A choice that would leave everything or nothing is not offered.
  const hide = (name, useless) => { form.elements.namedItem(name).closest("label").hidden = useless; };
  const values = key => new Set(models.map(row => row.dataset[key]));
  hide("section", sections.length < 2);
  hide("kind", values("kind").size < 2);
  hide("field", values("field").size < 2);
  hide("size", values("billions").size < 2);
  form.hidden = false;

  const shownColumn = (head, wanted) => {
    const { tier, language } = head.dataset;
    if (!wanted || !tier || tier === "all") return true;
    const [by, of] = wanted.split(":");
    return by === "tier" ? tier === of : language === of;
  };
  const inSize = (billions, wanted) => {
    if (!wanted) return true;
    if (wanted === "unknown") return billions === "";
    const [over, to] = wanted.split("-").map(Number);
    return billions !== "" && Number(billions) > over && Number(billions) <= to;
  };

  const chooseColumns = table => {
    const wanted = choose("language");
    const heads = [...table.querySelectorAll("thead tr:last-child th")];
    const shown = heads.map(head => shownColumn(head, wanted));
    for (const row of table.rows) {
      const cells = [...row.cells];
      if (cells.length === heads.length) cells.forEach((cell, at) => { cell.hidden = !shown[at]; });
    }
    let from = 1;
    for (const band of table.querySelectorAll("thead th.band")) {
      band.dataset.span ??= band.colSpan;
      const inside = shown.slice(from, from += Number(band.dataset.span)).filter(Boolean).length;
      band.hidden = inside === 0;
      band.colSpan = Math.max(1, inside);
    }
  };

  const show = () => {
    sections.forEach(section => { section.hidden = choose("section") !== "" && section.id !== choose("section"); });
    tables.forEach(chooseColumns);
    let left = 0;
    for (const row of models) {
      const { kind, field, billions } = row.dataset;
      row.hidden = (choose("kind") && kind !== choose("kind")) || (choose("field") && field !== choose("field")) ||
        !inSize(billions, choose("size"));
      left += row.hidden ? 0 : 1;
    }
    document.getElementById("chosen").textContent =
      left === models.length ? "" : `${left} of ${models.length} rows of models are shown; places are still among all.`;
  };
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", event => event.preventDefault());

  const sort = (table, at, down) => {
    const order = row => (at === 0 ? null : row.cells[at].dataset.order);
    const compare = (a, b) => {
      if (at === 0) return (down ? -1 : 1) * a.cells[0].textContent.localeCompare(b.cells[0].textContent);
      const [first, second] = [order(a), order(b)];
      if (first === undefined || second === undefined) return (first === undefined) - (second === undefined);
      return (down ? 1 : -1) * (Number(second) - Number(first));
    };
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter(row => row.querySelector("td[data-order]"));
      rows.sort(compare).forEach(row => body.append(row));
    }
  };
  for (const table of tables) {
    const heads = [...table.querySelectorAll("thead tr:last-child th")];
    heads.forEach((head, at) => {
      // Nothing is sorted by a column that no model may be put in order by.
      if (at > 0 && ![...table.rows].some(row => row.cells[at]?.dataset.order !== undefined)) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const best = at === 0 ? "ascending" : "descending";
        const down = head.getAttribute("aria-sort") === best ? best === "ascending" : best !== "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, at, down);
      });
    });
  }
})();
