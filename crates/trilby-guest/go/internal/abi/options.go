package abi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Options are the options of a call: lines of `name: value`.
type Options struct {
	block []byte
	err   error
}

// Text adds an option, unless the value is empty.
func (o *Options) Text(name, value string) {
	if value != "" {
		o.add(name, value)
	}
}

// Flag adds an option that is true, and none otherwise.
func (o *Options) Flag(name string, value bool) {
	if value {
		o.add(name, "true")
	}
}

// Number adds an option, unless it is 0.
func (o *Options) Number(name string, value uint32) {
	if value != 0 {
		o.add(name, strconv.FormatUint(uint64(value), 10))
	}
}

// Metadata adds an option for each name, in the order of the names.
func (o *Options) Metadata(metadata map[string]string) {
	o.Prefixed("metadata.", metadata)
}

// Prefixed adds an option for each name, which goes behind the prefix.
func (o *Options) Prefixed(prefix string, values map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		o.add(prefix+name, values[name])
	}
}

// Block is what the host takes. A name or a value that would break out of its line is an error.
func (o *Options) Block() (string, error) {
	return string(o.block), o.err
}

func (o *Options) add(name, value string) {
	if name == "" || strings.ContainsAny(name, ":\r\n") || strings.ContainsAny(value, "\r\n") {
		o.err = Invalid("option " + strconv.Quote(name) + " does not fit on a line")
		return
	}
	for _, part := range []string{name, ": ", value, "\n"} {
		o.block = append(o.block, part...)
	}
}
