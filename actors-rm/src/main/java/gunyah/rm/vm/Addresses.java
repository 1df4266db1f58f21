package gunyah.rm.vm;

import static gunyah.rm.rpc.IpaReserve.ECC;
import static gunyah.rm.rpc.IpaReserve.LIKE_BASE_MEMORY;
import static gunyah.rm.rpc.IpaReserve.NORMAL;
import static gunyah.rm.rpc.IpaReserve.TAGGED;

import gunyah.rm.memparcel.IpaSpace;
import gunyah.rm.root.PhysRange;
import gunyah.rm.rpc.IpaReserve;
import gunyah.rm.rpc.IpaReserve.Choice;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * IPA_RESERVE: a guest takes addresses of its own for itself (vm_ipa.c). They are its until it is reset. All of a request
 * is reserved, or nothing.
 */
public final class Addresses {
    private static final long IPA_LIMIT = 1L << 52;

    /** Serves the request. */
    public Reply reserve(Call<IpaReserve> call) {
        IpaReserve request = call.request();
        checkConstraints(request);
        IpaSpace free = call.caller().parcelSpace().orElseThrow(() -> new RmFault(RmError.NORESOURCE)).free();
        request.fixed().forEach(range -> checkRange(range.base(), range.size()));
        request.choices().forEach(Addresses::checkChoice);
        List<MemRange> taken = new ArrayList<>();
        try {
            for (MemRange range : request.fixed()) {
                free.take(range.base(), range.size());
                taken.add(range);
            }
            for (Choice choice : request.choices()) {
                long base = free.takeFirst(choice.regionBase(), choice.regionBase() + choice.regionSize(),
                        choice.size(), Math.max(choice.alignment(), PhysRange.PAGE));
                taken.add(new MemRange(base, choice.size()));
            }
        } catch (RmFault full) {
            taken.forEach(range -> free.giveBack(range.base(), range.size()));
            throw full;
        }
        if (request.choices().isEmpty()) {
            return Reply.of(RmError.OK);
        }
        WireWriter writer = new WireWriter().u32(taken.size());
        taken.forEach(range -> writer.u64(range.base()));
        return Reply.of(writer.toBytes());
    }

    // Of the memory kinds this platform has one: normal, with ECC and tags for who asks for them; nothing behind a bus.
    private static void checkConstraints(IpaReserve request) {
        int generic = request.generic();
        boolean known = generic == 0 || generic == LIKE_BASE_MEMORY
                || (generic & NORMAL) != 0 && (generic & ~(NORMAL | ECC | TAGGED)) == 0;
        argument(known && request.platform() == 0);
        argument(!request.fixed().isEmpty() || !request.choices().isEmpty());
    }

    private static void checkChoice(Choice choice) {
        checkRange(choice.regionBase(), choice.regionSize());
        checkRange(0, choice.size());
        argument(choice.size() <= choice.regionSize());
        argument(choice.alignment() >= 0 && (choice.alignment() & choice.alignment() - 1) == 0);
    }

    private static void checkRange(long base, long size) {
        argument(((base | size) & PhysRange.PAGE - 1) == 0 && base >= 0 && size > 0);
        argument(size <= IPA_LIMIT && base <= IPA_LIMIT - size);
    }

    private static void argument(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }
}
