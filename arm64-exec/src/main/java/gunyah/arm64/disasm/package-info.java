/**
 * Text of A64 instructions for reports and listings ({@link gunyah.arm64.disasm.Disassembler}, the entry type), driven
 * by tables: formats by row of the decode table, and names of system registers. Source of the syntax: Arm ARM DDI 0487,
 * C3 and C6, as GNU binutils 2.40 writes it.
 */
package gunyah.arm64.disasm;
