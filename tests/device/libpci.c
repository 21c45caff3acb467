// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libpci.c - configuration space, BARs and MSI-X from a device test.
 *
 * Configuration mechanism 1: an address with bit 31 set into port 0xcf8, the
 * data through port 0xcfc.  Accesses are made in whole words, as the least
 * common denominator; narrower values are cut out.
 */
#include "libpci.h"

#include "toe_hw.h"

static void cfg_addr(struct pci *p, uint8_t off)
{
	qt_outl(p->qt, 0xcf8, 0x80000000u | (uint32_t)p->bus << 16 |
		(uint32_t)p->devfn << 8 | (off & 0xfcu));
}

uint32_t pci_readl(struct pci *p, uint8_t off)
{
	cfg_addr(p, off);
	return qt_inl(p->qt, 0xcfc);
}

uint16_t pci_readw(struct pci *p, uint8_t off)
{
	return (uint16_t)(pci_readl(p, off) >> (8 * (off & 2)));
}

uint8_t pci_readb(struct pci *p, uint8_t off)
{
	return (uint8_t)(pci_readl(p, off) >> (8 * (off & 3)));
}

void pci_writel(struct pci *p, uint8_t off, uint32_t value)
{
	cfg_addr(p, off);
	qt_outl(p->qt, 0xcfc, value);
}

/*
 * The other half of the word is written back as it was: right for every word
 * used here except the status register, whose bits clear on a write of one,
 * so that half is written as zero.
 */
void pci_writew(struct pci *p, uint8_t off, uint16_t value)
{
	uint32_t old = pci_readl(p, off);
	unsigned shift = 8 * (off & 2);

	if ((off & 0xfc) == PCI_CFG_COMMAND)
		old = 0;
	old &= ~(0xffffu << shift);
	pci_writel(p, off, old | (uint32_t)value << shift);
}

void pci_find(struct pci *p, struct qt *q)
{
	unsigned slot;

	*p = (struct pci) { .qt = q };
	for (slot = 0; slot < 32; slot++) {
		p->devfn = (uint8_t)(slot << 3);
		if (pci_readl(p, PCI_CFG_VENDOR) ==
		    (TOE_PCI_VENDOR_ID | (uint32_t)TOE_PCI_DEVICE_ID << 16))
			return;
	}
	ck_abort_msg("no adapter on bus 0");
}

uint8_t pci_cap(struct pci *p, uint8_t id)
{
	uint8_t at = pci_readb(p, PCI_CFG_CAPS) & 0xfc;
	int i;

	for (i = 0; at && i < 48; i++) {
		if (pci_readb(p, at) == id)
			return at;
		at = pci_readb(p, (uint8_t)(at + 1)) & 0xfc;
	}
	return 0;
}

uint64_t pci_bar_size(struct pci *p, unsigned bar, uint32_t *flags)
{
	uint8_t off = (uint8_t)(PCI_CFG_BAR0 + 4 * bar);
	uint32_t old = pci_readl(p, off), old_hi = 0, lo, hi = 0xffffffffu;
	bool is64 = (old & 7) == 4;
	uint64_t mask;

	if (is64) {
		old_hi = pci_readl(p, (uint8_t)(off + 4));
		pci_writel(p, (uint8_t)(off + 4), 0xffffffffu);
		hi = pci_readl(p, (uint8_t)(off + 4));
	}
	pci_writel(p, off, 0xffffffffu);
	lo = pci_readl(p, off);
	pci_writel(p, off, old);
	if (is64)
		pci_writel(p, (uint8_t)(off + 4), old_hi);
	if (flags)
		*flags = old & 15;
	if (!lo)
		return 0;
	mask = (uint64_t)hi << 32 | (lo & ~15u);
	return ~mask + 1;
}

static uint64_t bir_addr(struct pci *p, uint32_t reg)
{
	uint64_t base = 0;

	switch (reg & 7) {
	case TOE_BAR_REGS:
		base = p->regs;
		break;
	case TOE_BAR_DOORBELLS:
		base = p->doorbells;
		break;
	case TOE_BAR_MSIX:
		base = p->msix;
		break;
	default:
		ck_abort_msg("MSI-X names BAR %u", reg & 7);
	}
	return base + (reg & ~7u);
}

void pci_enable(struct pci *p)
{
	p->regs = PCI_REGS_ADDR;
	p->msix = PCI_MSIX_ADDR;
	p->doorbells = PCI_DOORBELLS_ADDR;
	pci_writel(p, PCI_CFG_BAR0 + 4 * TOE_BAR_REGS, (uint32_t)p->regs);
	pci_writel(p, PCI_CFG_BAR0 + 4 * TOE_BAR_DOORBELLS,
		   (uint32_t)p->doorbells);
	pci_writel(p, PCI_CFG_BAR0 + 4 * TOE_BAR_DOORBELLS + 4,
		   (uint32_t)(p->doorbells >> 32));
	pci_writel(p, PCI_CFG_BAR0 + 4 * TOE_BAR_MSIX, (uint32_t)p->msix);
	pci_writew(p, PCI_CFG_COMMAND, PCI_CMD_MEMORY | PCI_CMD_MASTER);

	p->msix_cap = pci_cap(p, PCI_CAP_MSIX);
	if (p->msix_cap) {
		p->msix_table = bir_addr(p, pci_readl(p, (uint8_t)
						      (p->msix_cap + 4)));
		p->msix_pba = bir_addr(p, pci_readl(p, (uint8_t)
						    (p->msix_cap + 8)));
		p->vectors = (pci_readw(p, (uint8_t)(p->msix_cap + 2)) &
			      0x7ffu) + 1;
	}
}

void pci_flr(struct pci *p)
{
	uint8_t cap = pci_cap(p, PCI_CAP_EXPRESS);
	uint32_t devcap;

	ck_assert_msg(cap, "no PCI Express capability");
	devcap = pci_readl(p, (uint8_t)(cap + 4));
	ck_assert_msg(devcap & (1u << 28), "no function-level reset");
	pci_writew(p, (uint8_t)(cap + 8),
		   (uint16_t)(pci_readw(p, (uint8_t)(cap + 8)) | 1u << 15));
	qt_settle(p->qt);
}

void pci_msix_enable(struct pci *p)
{
	ck_assert(p->msix_cap);
	pci_writew(p, (uint8_t)(p->msix_cap + 2), 0x8000);
}

void pci_msix_set(struct pci *p, unsigned vector, uint64_t addr, uint32_t data)
{
	uint64_t e = p->msix_table + 16 * vector;

	ck_assert_uint_lt(vector, p->vectors);
	qt_writel(p->qt, e, (uint32_t)addr);
	qt_writel(p->qt, e + 4, (uint32_t)(addr >> 32));
	qt_writel(p->qt, e + 8, data);
	qt_writel(p->qt, e + 12, 0);
}

void pci_msix_mask(struct pci *p, unsigned vector, bool masked)
{
	qt_writel(p->qt, p->msix_table + 16 * vector + 12, masked);
}

bool pci_msix_pending(struct pci *p, unsigned vector)
{
	return qt_readl(p->qt, p->msix_pba + 4 * (vector / 32)) >>
		(vector % 32) & 1;
}
