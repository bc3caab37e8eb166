;; Its `_routes` says nothing.
(module
  (memory (export "memory") 1)
  (func (export "_start"))
  (func (export "_routes")))
