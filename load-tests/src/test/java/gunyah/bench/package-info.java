/**
 * Benchmarks of the hypervisor with guests of our own ({@code src/test/guest/bench.S}, built by
 * {@code tools/build-bench-guest.sh}): what a guest's own clock says that a hypercall, a message or an exit costs.
 */
package gunyah.bench;
