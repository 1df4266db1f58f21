/**
 * The virtual interrupt controller: a GICv3 distributor, one redistributor and one CPU interface per vCPU, and the
 * sources that other objects bind to it. One lock per controller guards all of its state; it is a leaf: nothing is
 * called with it held except setting a vCPU's interrupt lines. Entry type {@link gunyah.hyp.vic.Vic}. Sources: Gunyah
 * hyp/vm/vgic; Arm IHI 0069 (GICv3), one security state.
 */
package gunyah.hyp.vic;
