// Adds the reader's own time to every instant on the page. It sends nothing and decides nothing.
"use strict";
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const { locale, timeZone: zone } = format.resolvedOptions();
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime()) || zone === "UTC") continue;
  // the date is in the reader's language, and maybe in their direction; the words around it are not
  const date = document.createElement("bdi");
  date.lang = locale;
  date.textContent = format.format(moment);
  const own = document.createElement("span");
  own.className = "own-time";
  own.append(date, " your time (" + zone.replaceAll("_", " ") + ")");
  time.after(own);
}
