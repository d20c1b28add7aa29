"""How well texts of a page can be told from what is behind them, as WCAG 2.1 (criterion 1.4.3) measures it."""

PALEST = """() => {
  const parsed = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, back) => {
    const mixed = (name) => top[name] * top.a + back[name] * (1 - top.a);
    return { r: mixed("r"), g: mixed("g"), b: mixed("b"), a: 1 };
  };
  const light = ({ r, g, b }) => {
    const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  };
  const above = (node) => (node ? [node, ...above(node.parentElement)] : []);
  const measured = (node) => {
    const line = above(node);
    const grounds = line.map((one) => parsed(getComputedStyle(one).backgroundColor)).filter(({ a }) => a > 0);
    const back = grounds.reverse().reduce((under, one) => over(one, under), { r: 255, g: 255, b: 255, a: 1 });
    const colour = parsed(getComputedStyle(node).color);
    const opacity = line.reduce((product, one) => product * Number(getComputedStyle(one).opacity), colour.a);
    const [more, less] = [light(over({ ...colour, a: opacity }, back)), light(back)].sort((a, b) => b - a);
    return { ratio: (more + 0.05) / (less + 0.05), node: node.outerHTML.slice(0, 200) };
  };
  const says = (child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim();
  const texts = [...document.querySelectorAll("body *")]
    .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .filter((node) => [...node.childNodes].some(says))
    // What cannot be used may be pale, and what is written over pictures has an edge.
    .filter((node) => !node.closest(":disabled, svg"));
  return texts.map(measured).sort((one, other) => one.ratio - other.ratio)[0];
}"""
"""A script that returns the palest visible text: its ratio, 1 to 21, and its element."""
