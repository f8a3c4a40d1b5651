// A dispatcher's program: it orders a visit, reports an incident as a drill, and
// reads the first frame of the stream. All types come from kapok.d.ts, which
// openapi-typescript makes of the document that the server itself gives out.
import createClient from "openapi-fetch";
import type { components, paths } from "./kapok.js";

type Problem = components["schemas"]["Problem"];

const url = process.env.KAPOK_URL ?? "http://127.0.0.1:8080";
const token = process.env.KAPOK_TOKEN;
if (!token) {
  throw new Error("set KAPOK_TOKEN to a dispatcher's token");
}
const [lon, lat] = (process.argv[2] ?? "113.931,22.511").split(",").map(Number);
if (lon === undefined || lat === undefined) {
  throw new Error("the place is LON,LAT");
}

const kapok = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

/** Gives the answer, or throws the server's own words. */
function answered<T>(result: { data?: T; error?: Problem }): T {
  if (result.data === undefined) {
    throw new Error(result.error ? `${result.error.code}: ${result.error.detail}` : "no answer");
  }
  return result.data;
}

// The key makes it safe to repeat the request when no answer came.
const task = answered(
  await kapok.POST("/v1/tasks", {
    params: { header: { "Idempotency-Key": `visit-${process.pid}` } },
    body: { kind: "visit", priority: "urgent", stops: [{ position: { lon, lat }, work_s: 20 }] },
  }),
);
console.log(`task ${task.id} is ${task.state}: ${task.reason ?? task.vehicle}`);

const incident = answered(
  await kapok.POST("/v1/incidents", { body: { kind: "fire", position: { lon, lat }, drill: true } }),
);
for (const part of incident.tasks ?? []) {
  console.log(`incident ${incident.id}, ${part.role}: ${part.vehicle ?? "waits: " + part.reason}`);
}

const { ticket } = answered(await kapok.POST("/v1/stream-tickets", {}));
const stream = new WebSocket(`${url.replace(/^http/, "ws")}/v1/stream?ticket=${ticket}`);
const frame = await new Promise<{ type: string; index: number }>((resolve, reject) => {
  stream.onmessage = (message) => resolve(JSON.parse(String(message.data)));
  stream.onerror = () => reject(new Error("the stream could not be opened"));
});
console.log(`the stream begins with a ${frame.type} at event ${frame.index}`);
stream.close();
