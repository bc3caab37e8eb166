module trilby.example/orders

go 1.24

require trilby.example/guest v0.0.0

replace trilby.example/guest => ../../crates/trilby-guest/go
