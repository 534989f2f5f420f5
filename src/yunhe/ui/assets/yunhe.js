// Comfort only: every page works without it.
import { watchCopies } from "./copy.js";
import { watchDrafts } from "./drafts.js";
import { watchDrops } from "./drops.js";
import { watchErrors } from "./errors.js";
import { foldFacets } from "./facets.js";
import { watchKeys } from "./keys.js";
import { watchPicks } from "./picks.js";
import { watchRows } from "./rows.js";
import { watchSent } from "./sent.js";
import { watchSheets } from "./sheets.js";
import { watchTabs } from "./tabs.js";
import { watchUploads } from "./upload.js";
import { watchWaits } from "./waits.js";

watchCopies(document);
watchDrops(document);
watchErrors(document);
foldFacets(document);
watchKeys(document);
watchPicks(document);
watchSheets(document);
watchTabs(document);
watchUploads(document);
watchWaits(document);
watchDrafts(document);
watchRows(document);
watchSent(document);
document.body.addEventListener("htmx:load", () => watchUploads(document));
