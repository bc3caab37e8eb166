// Package conversation talks to large language models.
package conversation

import "trilby.example/guest/internal/abi"

// Converse asks a model. Request and answer are the JSON of Dapr's HTTP API, version alpha 2
// (/v1.0-alpha2/conversation/NAME/converse).
func Converse(component string, request []byte) ([]byte, error) {
	return abi.Whole(hostConverse(component, "", abi.View(request)))
}
