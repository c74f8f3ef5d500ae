// Writes every instant on the page in the reader's own zone. It sends nothing and decides nothing.
"use strict";
const language = document.documentElement.lang || undefined;
const locale = language === "en" ? "en-GB" : language;
// two digits on a clock of 24 hours, as the CLDR and the messages have it: 07:09, and 7:09 PM
const hour = new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit";
const format = new Intl.DateTimeFormat(locale, {
  weekday: "short", day: "numeric", month: "short", year: "numeric", hour, minute: "2-digit",
  calendar: "gregory", numberingSystem: "latn",
});
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.title = time.textContent;
  time.textContent = format.format(moment);
}
