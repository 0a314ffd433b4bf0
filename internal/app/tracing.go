package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"

	"choocop.vn/ocop/internal/config"
)

// Tracing sends spans to OCOP_OTLP_ENDPOINT when it is set. The returned function sends what is left.
func Tracing(ctx context.Context, cfg config.Config) (func(), error) {
	if cfg.OTLP == "" {
		return func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.OTLP))
	if err != nil {
		return nil, fmt.Errorf("app: OCOP_OTLP_ENDPOINT: %w", err)
	}
	provider := Spans(exporter)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = provider.Shutdown(stop)
	}, nil
}

// Spans hands spans to an exporter, of each no more than may be kept: the route's pattern, the method, the status and the times.
// Addresses with their codes and secrets, network addresses, browsers and the words of errors stay here, whatever a library
// writes into a span.
func Spans(exporter trace.SpanExporter) *trace.TracerProvider {
	return trace.NewTracerProvider(trace.WithBatcher(discreet{exporter}))
}

// told are the attributes that say nothing of a person or a record.
var told = []attribute.Key{"http.request.method", "http.route", "http.response.status_code", "http.response.body.size", "url.scheme", "server.address",
	"network.protocol.name", "network.protocol.version"}

type discreet struct{ trace.SpanExporter }

// ExportSpans is the exporter's, of spans with less in them.
func (d discreet) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	out := make([]trace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = span{s}
	}
	return d.SpanExporter.ExportSpans(ctx, out)
}

// span is a span without what must not leave.
type span struct{ trace.ReadOnlySpan }

// Name is the method with the pattern of the route. What met no route is told apart by nothing: its method may be anything.
func (s span) Name() string {
	for _, a := range s.ReadOnlySpan.Attributes() {
		if a.Key == "http.route" && a.Value.AsString() != "" {
			return s.ReadOnlySpan.Name()
		}
	}
	return "HTTP route not found"
}

// Attributes are those that are told.
func (s span) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(s.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool { return !slices.Contains(told, a.Key) })
}

// Events are none: they repeat errors.
func (s span) Events() []trace.Event { return nil }

// Status is good or bad, without words.
func (s span) Status() trace.Status { return trace.Status{Code: s.ReadOnlySpan.Status().Code} }
