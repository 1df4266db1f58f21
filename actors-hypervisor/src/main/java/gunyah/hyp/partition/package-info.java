/**
 * The root partition and the calls that make objects from it ({@link gunyah.hyp.partition.PartitionCalls}). No state
 * of its own beyond identity; any thread. Source: Gunyah hyp/core/partition_standard.
 */
package gunyah.hyp.partition;
