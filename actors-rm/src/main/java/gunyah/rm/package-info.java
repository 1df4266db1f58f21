/**
 * The Resource Manager: program of the root VM, one actor on the default dispatcher. Entry type
 * {@link gunyah.rm.ResourceManager}. It reaches the world by hypercalls and message queues only. Sub-packages:
 * {@code root} (hypercalls), {@code rpc} (wire format), {@code link} (message queues), {@code vm} (life cycle),
 * {@code memparcel}, {@code dt}. Follows the public Gunyah Resource Manager and what the Linux v17 driver needs.
 */
package gunyah.rm;
