// Package metadata tells what the runtime is and has.
package metadata

import "trilby.example/guest/internal/abi"

// Get is the JSON of Dapr's /v1.0/metadata.
func Get() ([]byte, error) {
	return abi.Whole(hostGet(""))
}

// Set adds to the metadata's extended part.
func Set(key, value string) error {
	return abi.Done(hostSet(key, value, ""))
}
