// SPDX-License-Identifier: MIT
#include "tls/ipsec_mb.h"

#include <intel-ipsec-mb.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

namespace tunnel::tls {
namespace {

static_assert(sizeof(gcm_key_data) <= IpsecMb::kKeySize);
static_assert(alignof(gcm_key_data) <= IpsecMb::kAlignment);
static_assert(sizeof(gcm_context_data) <= IpsecMb::kContextSize);

// Without them the library would work with tables in memory, whose use tells about the key.
constexpr std::uint64_t kNeeded = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
constexpr std::uint64_t kFast = kNeeded | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;

struct Free {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};

bool has(const IMB_MGR& manager, std::uint64_t features) {
  return (manager.features & features) == features;
}

// Of one loaded object, if it is that of `code`: gives back the memory of what is never written.
int give_back(dl_phdr_info* object, std::size_t, void* code) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto is_of = [&](const ElfW(Phdr) & part) {
    const auto at = reinterpret_cast<std::uintptr_t>(code) - object->dlpi_addr - part.p_vaddr;
    return part.p_type == PT_LOAD && at < part.p_memsz;
  };
  const std::span parts(object->dlpi_phdr, object->dlpi_phnum);
  if (std::none_of(parts.begin(), parts.end(), is_of)) return 0;
  for (const auto& part : parts) {
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + part.p_vaddr + part.p_memsz;
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 1;
}

}  // namespace

Result<IpsecMb> IpsecMb::load(Processors processors) {
  const std::unique_ptr<IMB_MGR, Free> manager(alloc_mb_mgr(0));
  if (!manager) return failed(ErrorCode::exhausted, "there is no memory for intel-ipsec-mb");
  if (!has(*manager, kNeeded)) {
    return failed(ErrorCode::unavailable, "this processor has no AES-NI and PCLMULQDQ");
  }
  if (processors == Processors::fast && !has(*manager, kFast)) {
    return failed(ErrorCode::unavailable, "this processor has no VAES and VPCLMULQDQ");
  }
  IMB_ARCH architecture = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager.get(), &architecture);
  if (architecture == IMB_ARCH_NONE || imb_get_errno(manager.get()) != 0) {
    return failed(ErrorCode::unavailable, "intel-ipsec-mb does not work on this processor");
  }
  // Its test of itself goes through all its code, 3.5 MiB of which hardly anything is needed again.
  // What is comes back from the file.
  (void)::dl_iterate_phdr(&give_back, reinterpret_cast<void*>(manager->gcm128_enc));
  // The functions need no manager, which is for many messages at once.
  return IpsecMb{
      .aes128 = {manager->gcm128_pre, manager->gcm128_enc, manager->gcm128_dec,
                 manager->gcm128_init, manager->gcm128_enc_update, manager->gcm128_enc_finalize},
      .aes256 = {manager->gcm256_pre, manager->gcm256_enc, manager->gcm256_dec,
                 manager->gcm256_init, manager->gcm256_enc_update, manager->gcm256_enc_finalize},
      .version = imb_get_version_str()};
}

}  // namespace tunnel::tls
