// Writes every instant on the page in the reader's own zone. It sends nothing and decides nothing.
"use strict";
const language = document.documentElement.lang || undefined;
const format = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
  weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  calendar: "gregory", numberingSystem: "latn",
});
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.title = time.textContent;
  time.textContent = format.format(moment);
}
