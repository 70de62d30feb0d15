"use strict";
// Choosing among the questions of the sample, and the two languages shown. Without this script all of them are there.
(() => {
  const form = document.getElementById("items-choice");
  if (!form) return;
  // Panels stand as they were drawn: that language, English, and the others; those shown are moved to the front.
  const items = [...document.querySelectorAll("#items details.item")]
    .map(item => ({ item, panels: [...item.querySelectorAll(".item-panel")] }));
  const chosen = name => form.elements.namedItem(name)?.value ?? "";

  const show = () => {
    const task = chosen("task"), kind = chosen("kind"), language = chosen("language"), beside = chosen("beside") || "en";
    let shown = 0;
    for (const { item, panels } of items) {
      const of = code => panels.find(panel => panel.dataset.language === code);
      const left = language ? of(language) : panels[0];
      const right = of(beside) !== left ? of(beside) : panels.find(panel => panel !== left);
      const wanted = (!task || item.dataset.task === task) && (!kind || item.dataset.kind === kind) && left;
      item.hidden = !wanted;
      if (!wanted) continue;
      shown += 1;
      for (const panel of panels) panel.hidden = panel !== left && panel !== right;
      left.parentElement.prepend(...[left, right].filter(Boolean));
    }
    document.getElementById("items-shown").textContent = `${shown} of ${items.length} questions shown`;
  };
  form.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.hidden = false;
  show();
})();
