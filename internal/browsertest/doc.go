// Package browsertest holds only tests: what needs a script, and what must look right, tried in
// Chromium against the whole program. It looks at every page of the gallery in both languages, light
// and dark, narrow and wide, and buys with the mouse and by keyboard alone.
package browsertest
