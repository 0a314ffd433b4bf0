package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// roomy is the memory that the runtime may hold before it collects sooner than by itself; the program's own file in
// memory, some 58 MB, comes on top of it.
const roomy = 92 << 20

// memoryLimit is a soft limit for a program that keeps so much alive. A fixed one would make a large market collect
// without end, so it leaves a third of what is alive as room.
func memoryLimit(live uint64) int64 { return max(roomy, int64(live)/3*4) }

// holdMemory keeps the soft limit by what is alive until ctx ends. Without it the heap grows to twice what is alive, and
// what one busy moment took stays resident. An operator's own GOMEMLIMIT or GOGC goes before it.
func holdMemory(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for limit := int64(0); ; {
		metrics.Read(live)
		if next := memoryLimit(live[0].Value.Uint64()); next != limit { // setting it stops everything for a moment
			limit = next
			debug.SetMemoryLimit(limit)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
