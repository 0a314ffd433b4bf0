package main

import "testing"

func TestTheMemoryLimitLeavesALargeMarketRoom(t *testing.T) {
	if got := memoryLimit(30 << 20); got != roomy {
		t.Errorf("a small market may take %d, want %d", got, roomy)
	}
	if got := memoryLimit(300 << 20); got < 399<<20 || got > 400<<20 {
		t.Errorf("300 MB alive may take %d MB, want 400", got>>20)
	}
}
