/**
 * The Resource Manager's wire format, as pure functions over byte arrays: packets and fragments
 * ({@link gunyah.rm.rpc.Fragmenter}, {@link gunyah.rm.rpc.Reassembler}), message ids, and one record per payload.
 * Everything is little endian. Used by both ends: the Resource Manager and the host driver. Follows
 * rm-rpc.h, vm_mgnt_message.h and memparcel_msg.h of the public Resource Manager, and rsc_mgr_rpc.c of the Linux v17
 * driver where that knows more. No state but the reassembler's, no threads.
 */
package gunyah.rm.rpc;
