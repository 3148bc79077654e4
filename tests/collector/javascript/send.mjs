// Exports spans as an application would: send.mjs PROTOCOL URL TIMEOUT_MS NAME… ends with 0 if they were delivered, 3 if not.
import { OTLPTraceExporter as Http } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { TracerProvider } from "@opentelemetry/sdk-trace";

const [protocol, url, timeoutMillis, ...names] = process.argv.slice(2);
const spans = [];
const nothing = async () => {};
const keeping = { onStart() {}, onEnd: (span) => spans.push(span), forceFlush: nothing, shutdown: nothing };
const tracer = new TracerProvider({ spanProcessors: [keeping] }).getTracer("test");
for (const name of names) tracer.startSpan(name).end();

const exporter = new { http: Http, proto: Proto }[protocol]({ url, timeoutMillis: Number(timeoutMillis) });
if (spans.length !== names.length) throw new Error(`${spans.length} of ${names.length} spans ended.`);
const result = await new Promise((resolve) => exporter.export(spans, resolve));
await exporter.shutdown();
process.exit(result.code === 0 ? 0 : 3);
