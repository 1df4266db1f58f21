package gunyah.vmm.driver;

import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.WireReader;
import gunyah.rm.rpc.WireWriter;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * The Resource Manager calls of the driver (v17 9, 17, 27 and 29/35): payload layouts and what the replies must look
 * like. Every call completes with the answer or fails with a {@link GunyahError}. Thread safe; stages complete on the
 * link actor's thread, so what depends on them must not block.
 */
final class RmClient {
    /** Takes a request; completes {@code reply}. */
    interface Link {
        void call(int messageId, byte[] payload, CompletableFuture<byte[]> reply);
    }

    /** Memory of a parcel: host address and bytes. */
    record MemEntry(long address, long size) {
    }

    /** Guest physical range. */
    record Range(long base, long size) {
    }

    static final int MAX_MEM_ENTRIES = 512;
    static final int ACL_EXEC = 1;
    static final int ACL_WRITE = 2;
    static final int ACL_READ = 4;

    private static final int MEM_FLAG_APPEND = 1 << 1;
    private static final int APPEND_END = 1;
    private static final int STOP_FORCE = 1;
    private static final int STOP_REASON_FORCE = 3;

    private final Link link;

    RmClient(Link link) {
        this.link = link;
    }

    private CompletionStage<byte[]> call(MessageId message, WireWriter payload) {
        CompletableFuture<byte[]> reply = new CompletableFuture<>();
        link.call(message.id(), payload.toBytes(), reply);
        return reply;
    }

    private CompletionStage<Void> order(MessageId message, WireWriter payload) {
        return call(message, payload).thenAccept(ignored -> { });
    }

    private static <T> Function<byte[], T> parsed(MessageId message, Function<byte[], T> parser) {
        return body -> {
            try {
                return parser.apply(body);
            } catch (RmFault e) {
                throw new GunyahError(Errno.EBADMSG, "reply of %d bytes to %s".formatted(body.length, message));
            }
        };
    }

    private static WireWriter vmid(int vmid) {
        return new WireWriter().u16(vmid).u16(0);
    }

    /** {@return a fresh VMID} */
    CompletionStage<Integer> allocVmid() {
        return call(MessageId.VM_ALLOC_VMID, vmid(0)).thenApply(parsed(MessageId.VM_ALLOC_VMID,
                body -> WireReader.atLeast(body, 4).u16()));
    }

    CompletionStage<Void> deallocVmid(int vmid) {
        return order(MessageId.VM_DEALLOC_VMID, vmid(vmid));
    }

    /** Auth 0; the image parcel holds only the device tree. */
    CompletionStage<Void> configureImage(int vmid, int handle, long dtbOffset, long dtbSize) {
        return order(MessageId.VM_CONFIG_IMAGE,
                new WireWriter().u16(vmid).u16(0).u32(handle).u64(0).u64(0).u64(dtbOffset).u64(dtbSize));
    }

    CompletionStage<Void> setDemandPaging(int vmid, List<Range> ranges) {
        WireWriter payload = vmid(vmid).u32(ranges.size());
        ranges.forEach(range -> payload.u64(range.base).u64(range.size));
        return order(MessageId.VM_SET_DEMAND_PAGING, payload);
    }

    /** Range 0: where the image parcel goes. */
    CompletionStage<Void> setImageLayout(int vmid, long base, long size) {
        return order(MessageId.VM_SET_ADDRESS_LAYOUT, vmid(vmid).u32(0).u64(base).u64(size));
    }

    CompletionStage<Void> init(int vmid) {
        return order(MessageId.VM_INIT, vmid(vmid));
    }

    /** @param register set in bits 15:8, index in bits 7:0 */
    CompletionStage<Void> setBootContext(int vmid, int register, long value) {
        return order(MessageId.VM_SET_BOOT_CONTEXT,
                new WireWriter().u16(vmid).u8(register >>> 8).u8(register).u32(0).u64(value));
    }

    CompletionStage<List<HypResource>> hypResources(int vmid) {
        return call(MessageId.VM_GET_HYP_RESOURCES, vmid(vmid))
                .thenApply(parsed(MessageId.VM_GET_HYP_RESOURCES, HypResource::decode));
    }

    CompletionStage<Void> start(int vmid) {
        return order(MessageId.VM_START, vmid(vmid));
    }

    /** Forced. */
    CompletionStage<Void> stop(int vmid) {
        return order(MessageId.VM_STOP, new WireWriter().u16(vmid).u8(STOP_FORCE).u8(0).u32(STOP_REASON_FORCE));
    }

    /** Answered at once; the VM_STATUS notification tells the end. */
    CompletionStage<Void> reset(int vmid) {
        return order(MessageId.VM_RESET, vmid(vmid));
    }

    /** {@return the VMID of the host itself} */
    CompletionStage<Integer> ownVmid() {
        return call(MessageId.VM_GET_VMID, new WireWriter()).thenApply(parsed(MessageId.VM_GET_VMID,
                body -> WireReader.atLeast(body, 4).u16()));
    }

    /**
     * Lends memory to one VM, in as many messages as it takes; a parcel that cannot be completed is reclaimed.
     *
     * @param permissions ACL bits
     * @return the handle
     */
    CompletionStage<Integer> lend(int vmid, int permissions, List<MemEntry> entries) {
        List<MemEntry> first = entries.subList(0, Math.min(entries.size(), MAX_MEM_ENTRIES));
        WireWriter payload = new WireWriter().u8(0).u8(0).u8(first.size() < entries.size() ? MEM_FLAG_APPEND : 0)
                .u8(0).u32(0).u32(1).u16(vmid).u8(permissions).u8(0);
        CompletionStage<Integer> handle = call(MessageId.MEM_LEND, memory(payload, first).u32(0))
                .thenApply(parsed(MessageId.MEM_LEND, body -> WireReader.atLeast(body, 4).u32()));
        return handle.thenCompose(h -> append(h, entries, first.size()));
    }

    private CompletionStage<Integer> append(int handle, List<MemEntry> entries, int from) {
        if (from == entries.size()) {
            return CompletableFuture.completedFuture(handle);
        }
        int end = Math.min(entries.size(), from + MAX_MEM_ENTRIES);
        WireWriter payload = new WireWriter().u32(handle).u8(end == entries.size() ? APPEND_END : 0).u8(0).u16(0);
        CompletionStage<Boolean> sent = order(MessageId.MEM_APPEND, memory(payload, entries.subList(from, end)))
                .thenApply(ignored -> true);
        return sent.handle((ok, failure) -> failure == null
                ? append(handle, entries, end)
                : reclaim(handle).handle((done, ignored) -> null)
                        .thenCompose(ignored -> CompletableFuture.<Integer>failedFuture(failure)))
                .thenCompose(Function.identity());
    }

    private static WireWriter memory(WireWriter payload, List<MemEntry> entries) {
        payload.u16(entries.size()).u16(0);
        entries.forEach(entry -> payload.u64(entry.address).u64(entry.size));
        return payload;
    }

    CompletionStage<Void> reclaim(int handle) {
        return order(MessageId.MEM_RECLAIM, new WireWriter().u32(handle).u32(0));
    }
}
