/**
 * The A64 base instructions: one class per encoding group of Arm ARM DDI 0487, C4, each a table of rows and the static
 * methods that give them meaning. {@link gunyah.arm64.semantics.IntegerRows} lists the groups. Decoded operands follow
 * one convention: {@code rd, rn, rm, ra} are register indexes (SP and zero register resolved), {@code c} is 1 for the
 * 64-bit form, {@code imm, a, b} are what the row says. The methods are the reference meaning; the interpreter's
 * in-line bodies are fast paths beside them. They run on the vCPU's thread.
 */
package gunyah.arm64.semantics;
