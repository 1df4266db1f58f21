/**
 * RPC links: the pair of message queues between the Resource Manager and one client VM, with back-pressure, fragments
 * and the order of what goes out. Belongs to the Resource Manager's actor. Follows rm-rpc-msgqueue.c and rm-rpc-fifo.c
 * of the public Resource Manager, but never drops a reply.
 */
package gunyah.rm.link;
