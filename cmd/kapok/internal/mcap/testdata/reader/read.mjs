// Reads the file named on the command line twice, by its index and front to
// back with all checksums, and prints what it found as one line of JSON.
import { open } from "node:fs/promises";
import { McapIndexedReader, McapStreamReader } from "@mcap/core";

const file = await open(process.argv[2], "r");
const { size } = await file.stat();
const readable = {
  size: async () => BigInt(size),
  read: async (offset, length) => {
    const buffer = new Uint8Array(Number(length));
    const { bytesRead } = await file.read(buffer, 0, Number(length), Number(offset));
    if (bytesRead !== Number(length)) {
      throw new Error(`the file ends at ${Number(offset) + bytesRead}`);
    }
    return buffer;
  },
};

const reader = await McapIndexedReader.Initialize({ readable });
const topics = {};
const texts = {};
let last = 0n;
let ordered = true;
for await (const message of reader.readMessages()) {
  const channel = reader.channelsById.get(message.channelId);
  const schema = reader.schemasById.get(channel.schemaId);
  topics[channel.topic] = (topics[channel.topic] ?? 0) + 1;
  const value = JSON.parse(new TextDecoder().decode(message.data));
  JSON.parse(new TextDecoder().decode(schema.data));
  texts[channel.topic] ??= { schema: schema.name, encoding: schema.encoding, message: channel.messageEncoding, value };
  ordered &&= message.logTime >= last;
  last = message.logTime;
}

let streamed = 0;
const stream = new McapStreamReader({ validateCrcs: true });
const buffer = new Uint8Array(1 << 16);
for (;;) {
  const { bytesRead } = await file.read(buffer, 0, buffer.length);
  if (bytesRead === 0) {
    break;
  }
  stream.append(buffer.slice(0, bytesRead));
  for (let record; (record = stream.nextRecord()); ) {
    streamed += record.type === "Message" ? 1 : 0;
  }
}
const metadata = [];
for await (const record of reader.readMetadata()) {
  metadata.push([record.name, Object.fromEntries(record.metadata)]);
}
await file.close();
console.log(JSON.stringify({
  library: reader.header.library, topics, first: texts, ordered, streamed, done: stream.done(), metadata,
  messages: Number(reader.statistics.messageCount), chunks: reader.chunkIndexes.length,
}));
