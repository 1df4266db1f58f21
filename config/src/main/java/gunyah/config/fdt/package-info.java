/**
 * Flattened device trees (Devicetree Specification 0.4, chapter 5): {@link gunyah.config.fdt.Fdt} turns blobs into
 * trees of {@link gunyah.config.fdt.DtNode} and back. Used by the VMM (builds guest trees) and the Resource Manager
 * (reads the configuration node, writes the overlay).
 */
package gunyah.config.fdt;
