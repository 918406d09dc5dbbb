// Numbers in the reader's own format: the server writes 1,234.5; the browser knows how its reader writes that.

const parts = new Intl.NumberFormat(navigator.language).formatToParts(-1234567.8);
const part = (type, otherwise) => parts.find((one) => one.type === type)?.value ?? otherwise;

export const locale = { decimal: part("decimal", "."), thousands: part("group", ","), grouping: [3], currency: ["", ""] };

const NUMBER = /\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+/g;

function written(number) {
  const decimals = (number.split(".")[1] ?? "").length;
  const value = Number(number.replaceAll(",", ""));
  return value.toLocaleString(navigator.language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

// Rewrite the numbers in all elements of class n below an element.
export function localise(element) {
  if (written("1,234.5") === "1,234.5") return;
  const found = element.matches?.(".n") ? [element] : element.querySelectorAll?.(".n") ?? [];
  for (const one of found) one.textContent = one.textContent.replace(NUMBER, written);
}
