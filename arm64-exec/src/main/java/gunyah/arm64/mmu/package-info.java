/**
 * Address translation of one vCPU: the EL1&amp;0 stage-1 walk ({@link gunyah.arm64.mmu.Stage1}), the software TLB that
 * combines it with stage 2 ({@link gunyah.arm64.mmu.Tlb}) and every data access of guest code
 * ({@link gunyah.arm64.mmu.Mmu}, the entry type). All of it belongs to the vCPU's thread. Source: Arm ARM DDI 0487,
 * D8 (VMSAv8-64); the shape of the TLB is ours.
 */
package gunyah.arm64.mmu;
