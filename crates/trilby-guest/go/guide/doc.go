// Package guide has the Go of GUIDE.md: each block of it stands in one of these files, word for
// word, so that it compiles. No guest imports the package.
package guide
