// Exports spans as an application would: send.mjs PROTOCOL URL TIMEOUT_MS NAME… ends with 0 if they were delivered, 3 if not.
import { OTLPTraceExporter as Http } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const [protocol, url, timeoutMillis, ...names] = process.argv.slice(2);
const made = new InMemorySpanExporter();
const tracer = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor(made)] }).getTracer("test");
for (const name of names) tracer.startSpan(name).end();
await new Promise((resolve) => setImmediate(resolve));

const exporter = new { http: Http, proto: Proto }[protocol]({ url, timeoutMillis: Number(timeoutMillis) });
const spans = made.getFinishedSpans();
if (spans.length !== names.length) throw new Error(`${spans.length} of ${names.length} spans ended.`);
const result = await new Promise((resolve) => exporter.export(spans, resolve));
await exporter.shutdown();
process.exit(result.code === 0 ? 0 : 3);
