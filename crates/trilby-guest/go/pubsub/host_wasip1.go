package pubsub

//go:wasmimport dapr_pubsub_v1 publish
func hostPublish(pubsub, topic, options, data string) int32

//go:wasmimport dapr_pubsub_v1 publish_bulk
func hostPublishBulk(pubsub, topic, options, records string) int32
