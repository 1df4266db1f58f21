package gunyah.vmm.driver;

import java.util.concurrent.CompletionStage;

/** Something ADD_FUNCTION gave a VM: a vCPU, an irqfd, an ioeventfd (v17 13/35). */
interface VmFunction {
    /** Takes it away for good. {@return when nothing of it is in use any more} */
    CompletionStage<Void> unbind();
}
