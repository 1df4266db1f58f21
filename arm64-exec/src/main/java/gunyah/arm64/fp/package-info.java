/**
 * The SIMD and floating-point half of the A64 table (Arm ARM DDI 0487, C4.1 and C7): Armv8.0 with FEAT_RDM,
 * FEAT_DotProd and the Armv8.0 cryptographic extension. {@link gunyah.arm64.fp.FpRows#ROWS} is the entry; one class
 * per encoding group holds its rows and their meaning. {@code Lanes} and {@code LaneArithmetic} work on vector
 * elements, {@code FpArithmetic} on floating-point values (the JVM's arithmetic where it is provably the same,
 * {@code SoftFloat} elsewhere). Everything is static and used on the vCPU's thread.
 */
package gunyah.arm64.fp;
