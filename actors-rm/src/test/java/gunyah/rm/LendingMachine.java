package gunyah.rm;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.List;

/**
 * A primary VM that lends or shares much memory and a guest that accepts it, both by messages through their queues, in
 * lists of as many messages as the format demands.
 */
final class LendingMachine implements AutoCloseable {
    static final long MEMORY = 0x5000_0000L;
    private static final long AGENT = 0x4400_0000L;
    private static final long ROOM = MEMORY - 0x4000_0000L + (16 << 20);

    final RealHost host;
    final Agent guest;

    /** @param bytes memory that can be lent */
    LendingMachine(long bytes) {
        host = new RealHost(2, bytes + ROOM);
        guest = new Agent(host, Agent.tree("borrower", 1), AGENT);
        guest.start();
        guest.run();
    }

    /** {@link #create(boolean, int, int, long, int)} for the guest, without a label. */
    int create(boolean share, long bytes, int piece) {
        return create(share, guest.vmid, 0, bytes, piece);
    }

    /** LEND or SHARE of memory in pieces, with as many APPENDs as it takes. {@return the parcel's handle} */
    int create(boolean share, int vmid, int label, long bytes, int piece) {
        List<MemRange> ranges = new ArrayList<>();
        for (long at = 0; at < bytes; at += piece) {
            ranges.add(new MemRange(MEMORY + at, piece));
        }
        List<AclEntry> acl = share ? List.of(new AclEntry(3, 6), new AclEntry(vmid, 6))
                : List.of(new AclEntry(vmid, 7));
        int first = Math.min(ranges.size(), ParcelCreate.MAX_RANGES);
        int flags = first < ranges.size() ? ParcelCreate.MORE_FOLLOWS : 0;
        int handle = new WireReader(host.ok(share ? MessageId.MEM_SHARE : MessageId.MEM_LEND,
                new ParcelCreate(0, flags, label, acl, ranges.subList(0, first), List.of()))).u32();
        for (int from = first; from < ranges.size(); from += ParcelCreate.MAX_RANGES) {
            int to = Math.min(from + ParcelCreate.MAX_RANGES, ranges.size());
            host.ok(MessageId.MEM_APPEND, new ParcelAppend(handle, to == ranges.size() ? ParcelAppend.LAST : 0,
                    ranges.subList(from, to)));
        }
        return handle;
    }

    /** ACCEPT wherever the Resource Manager likes, in as many requests as it takes. */
    void accept(boolean share, int handle) {
        boolean incomplete = true;
        while (incomplete) {
            WireReader reply = new WireReader(ask(MessageId.MEM_ACCEPT, accept(share, handle, 0)).body());
            incomplete = (reply.skip(2).u8() & 1) != 0;
        }
        ask(MessageId.MEM_ACCEPT, accept(share, handle, ParcelAccept.DONE));
    }

    private static ParcelAccept accept(boolean share, int handle, int flags) {
        return new ParcelAccept(handle, 0, share ? 2 : 1, flags, 0, List.of(), List.of(), 0, List.of());
    }

    private Reply ask(MessageId id, Payload payload) {
        Reply reply = guest.exchange(id, payload);
        if (reply.code() != 0) {
            throw new AssertionError(id + " was answered " + reply.error());
        }
        return reply;
    }

    void release(int handle) {
        ask(MessageId.MEM_RELEASE, new ParcelReturn(handle, 0));
    }

    void reclaim(int handle) {
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
    }

    @Override
    public void close() {
        host.close();
    }
}
